//! The vendor's sheets in `mascot cost silicon`: a summary, the layers that differ, and images per second.

use crate::cli::table::render;
use crate::cost::{Sheet, SheetFigures, SheetLayer, SheetSpeed};
use crate::experiment::{DataRoot, Error};
use crate::files::InputError;
use crate::hw::AccelSpec;
use crate::results::number;

/// A sheet with our figures for its layers.
pub(super) struct Compared {
    sheet: Sheet,
    rows: Vec<Row>,
}

/// A layer with our figures.
struct Row {
    layer: SheetLayer,
    ours: SheetFigures,
}

impl Compared {
    pub(super) fn new(sheet: Sheet, accel: &AccelSpec) -> Result<Self, String> {
        let figures = sheet.figures(accel)?;
        let layers = sheet.layers.iter().cloned().zip(figures);
        let rows = layers.map(|(layer, ours)| Row { layer, ours }).collect();
        Ok(Self { sheet, rows })
    }

    /// The columns behind those of measured layers.
    pub(super) const CSV_HEADER: [&str; 9] = [
        "dram_kib",
        "mac_cycles",
        "cycles",
        "cycles_at_published_mac_rate",
        "bound",
        "published_dram_kib",
        "published_mac_cycles",
        "published_cycles",
        "published_bound",
    ];

    /// Network, layer, and the cells of [`Self::CSV_HEADER`].
    pub(super) fn csv(&self) -> impl Iterator<Item = [Vec<String>; 2]> {
        self.rows.iter().map(|Row { layer, ours: SheetFigures { dram_kib, model, rated } }| {
            let figures = vec![
                dram_kib.to_string(),
                model.mac_cycles.to_string(),
                format!("{:.1}", model.cycles),
                format!("{:.1}", rated.cycles),
                model.bound().name().into(),
                layer.dram_kib.to_string(),
                layer.mac_cycles.to_string(),
                layer.cycles.to_string(),
                layer.bound.name().into(),
            ];
            [vec![format!("{} {}", self.sheet.name, layer.net), layer.name.clone()], figures]
        })
    }

    pub(super) fn text(&self, data: &DataRoot, path: &std::path::Path) -> Result<String, Error> {
        let Sheet { name, accelerator, bandwidth_gbps, .. } = &self.sheet;
        let title = format!(
            "{name}: the vendor's sheet beside {accelerator} at {} GB/s; DRAM bytes equal, cycles within 5 % and the same\n\
             bound, with the model's MAC rates and with the sheet's\n",
            bandwidth_gbps.0
        );
        Ok(title + &self.summary() + &self.differing() + "\n" + &self.speeds(data, path)?)
    }

    fn summary(&self) -> String {
        let header = ["network", "layers", "bytes", "cycles", "bound", "cycles", "bound"];
        let mut nets: Vec<&str> = self.rows.iter().map(|row| &*row.layer.net).collect();
        nets.dedup();
        let line = |name: &str, of: &dyn Fn(&Row) -> bool| {
            let count = |what: &dyn Fn(&Row) -> bool| {
                self.rows.iter().filter(|row| of(row) && what(row)).count().to_string()
            };
            vec![
                name.to_string(),
                count(&|_| true),
                count(&|row| row.layer.same_bytes(&row.ours)),
                count(&|row| row.layer.near_cycles(&row.ours.model)),
                count(&|row| row.layer.bound == row.ours.model.bound()),
                count(&|row| row.layer.near_cycles(&row.ours.rated)),
                count(&|row| row.layer.bound == row.ours.rated.bound()),
            ]
        };
        let mut lines: Vec<Vec<String>> =
            nets.into_iter().map(|net| line(net, &|row| row.layer.net == net)).collect();
        lines.push(line("all", &|_| true));
        render(&header, 1..header.len(), lines)
    }

    /// The layers that differ at the sheet's MAC rates, and why.
    fn differing(&self) -> String {
        let differs =
            |row: &&Row| !row.layer.same_bytes(&row.ours) || !row.layer.near_cycles(&row.ours.rated);
        let lines = self.rows.iter().filter(differs).map(|Row { layer, ours }| {
            let SheetLayer { net, name, dram_kib, cycles, .. } = layer;
            let note = layer.note.as_deref().unwrap_or("no reason is known");
            let ours = format!("{} KiB and {:.0} cycles", ours.dram_kib, ours.rated.cycles);
            format!("- {net} {name}: {ours}, sheet {dram_kib} and {cycles:.0}: {note}\n")
        });
        let lines: String = lines.collect();
        if lines.is_empty() { lines } else { format!("What differs:\n{lines}") }
    }

    fn speeds(&self, data: &DataRoot, path: &std::path::Path) -> Result<String, Error> {
        let header = ["", "MACs", "GB/s", "images/s", "at the sheet's MAC rates", "published", "ratio"];
        let lines = self.sheet.configurations.iter().map(|each| {
            let accel = data.accelerator(&each.accelerator)?;
            let speed = self.sheet.images_per_s(&accel).map_err(|e| InputError::file(path, e))?;
            let (SheetSpeed { model, rated }, published) = (speed, each.images_per_s.0);
            Ok(vec![
                each.accelerator.clone(),
                accel.macs_per_cycle().to_string(),
                number(Some(accel.port_bytes_per_s() / 1e9), 1),
                number(Some(model), 1),
                number(Some(rated), 1),
                number(Some(published), 1),
                number(Some(rated / published), 2),
            ])
        });
        let lines = lines.collect::<Result<Vec<_>, Error>>()?;
        let network = &self.sheet.network;
        Ok(format!(
            "Images per second of its configurations on {network} at batch 1; ratio = at the sheet's MAC rates / published\n{}",
            render(&header, 1..header.len(), lines)
        ))
    }
}
