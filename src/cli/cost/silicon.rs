//! `mascot cost silicon`: compares the cost model with measurements of chips.

use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;

use super::sheet::Compared;
use crate::cli::table::{csv, render};
use crate::cost::{Measurements, Published, Sheet, Speed, Throughput, compressed_bytes, model};
use crate::experiment::{DataRoot, Error, Kind, check_name};
use crate::files::{InputError, Source};
use crate::hw::AccelSpec;
use crate::results::number;
use crate::units::Macs;

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// Print the layers as CSV; a figure that is not published is empty
    #[arg(long)]
    csv: bool,
}

pub(super) fn execute(options: &Options) -> Result<(), Error> {
    let data = DataRoot::find(None)?;
    let mut rows = Vec::new();
    let mut throughputs = Vec::new();
    let mut sheets = Vec::new();
    let names = data.names(Kind::Silicon);
    if names.is_empty() {
        let folder = data.path_of_root();
        return Err(Error::Usage(format!("no measurements in {}/accel-models/silicon", folder.display())));
    }
    for name in names {
        let path = data.path(Kind::Silicon, &name)?;
        let table = Source::read(&path)?.parse::<toml::Table>()?;
        if table.contains_key("configuration") {
            let sheet = Sheet::read(&path)?;
            check_name(&path, &sheet.name)?;
            let accel = data.accelerator(&sheet.accelerator)?;
            let compared = Compared::new(sheet, &accel).map_err(|e| InputError::file(&path, e))?;
            sheets.push((path, compared));
        } else if table.contains_key("throughput") {
            let throughput = Throughput::read(&path)?;
            check_name(&path, &throughput.name)?;
            throughputs.push((path, throughput));
        } else {
            let measurements = Measurements::read(&path)?;
            check_name(&path, &measurements.name)?;
            let accel = data.accelerator(&measurements.accelerator)?;
            rows.extend(layers(&measurements, &accel).map_err(|e| InputError::file(&path, e))?);
        }
    }
    if options.csv {
        return crate::cli::print(&all_as_csv(&rows, &sheets));
    }
    crate::cli::print(&(time_and_traffic(&rows) + "\n" + &energy(&rows)))?;
    for (path, throughput) in &throughputs {
        let network = data.network(&throughput.network)?;
        let accel = data.accelerator(&throughput.accelerator)?;
        let speed = Speed::of(&accel, &network).map_err(|e| InputError::file(path, e))?;
        crate::cli::print(&format!("\n{}", speeds(throughput, speed, network.macs())))?;
    }
    for (path, compared) in &sheets {
        crate::cli::print(&format!("\n{}", compared.text(&data, path)?))?;
    }
    Ok(())
}

/// One layer: the figures of our model, and the published ones of the chip.
struct Row {
    network: String,
    layer: String,
    active_pes: u64,
    processing_ms: f64,
    total_ms: f64,
    dram_mb: f64,
    /// DRAM traffic after the chip's run-length coding.
    coded_mb: f64,
    glb_mb: f64,
    /// Energy on chip, without DRAM.
    energy_mj: f64,
    chip: Published,
}

fn layers(measurements: &Measurements, accel: &AccelSpec) -> Result<Vec<Row>, String> {
    let rows = measurements.layers.par_iter().map(|layer| {
        let modelled = model(accel, &layer.nest(), &layer.mapping(accel)?)?;
        let ms = |cycles: u64| cycles as f64 * 1e3 / accel.clock_hz;
        Ok(Row {
            network: measurements.name.clone(),
            layer: layer.name.clone(),
            active_pes: modelled.active_pes,
            processing_ms: ms(modelled.processing_cycles.0),
            total_ms: ms(modelled.total_cycles.0),
            dram_mb: modelled.dram_bytes.iter().map(|bytes| bytes.0).sum::<u64>() as f64 / 1e6,
            coded_mb: compressed_bytes(&modelled, accel.dram().word_bits, layer.zeros) / 1e6,
            glb_mb: modelled.glb_bytes.0 as f64 / 1e6,
            energy_mj: modelled.on_chip_energy.0 / 1e9,
            chip: layer.published,
        })
    });
    rows.collect()
}

const CSV_HEADER: [&str; 15] = [
    "network",
    "layer",
    "active_pes",
    "processing_ms",
    "total_ms",
    "dram_mb",
    "glb_mb",
    "published_active_pes",
    "published_processing_ms",
    "published_total_ms",
    "published_dram_mb",
    "published_glb_mb",
    "dram_run_length_coded_mb",
    "chip_energy_mj",
    "published_chip_energy_mj",
];

/// Measured layers, then those of sheets: each has columns that the others leave empty.
fn all_as_csv(rows: &[Row], sheets: &[(PathBuf, Compared)]) -> String {
    let empty = |count: usize| vec![String::new(); count];
    let measured = rows.iter().map(|row| [row.csv(), empty(Compared::CSV_HEADER.len())].concat());
    let of_sheets = sheets.iter().flat_map(|(_, compared)| compared.csv());
    let of_sheets = of_sheets.map(|[names, figures]| {
        let between = empty(CSV_HEADER.len() - names.len());
        [names, between, figures].concat()
    });
    let header = [&CSV_HEADER[..], &Compared::CSV_HEADER].concat();
    csv(&header, &measured.chain(of_sheets).collect::<Vec<_>>())
}

impl Row {
    fn csv(&self) -> Vec<String> {
        let chip = &self.chip;
        let ours = |value: f64| format!("{value:.4}");
        let published = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
        vec![
            self.network.clone(),
            self.layer.clone(),
            self.active_pes.to_string(),
            ours(self.processing_ms),
            ours(self.total_ms),
            ours(self.dram_mb),
            ours(self.glb_mb),
            chip.active_pes.map_or(String::new(), |pes| pes.to_string()),
            published(chip.processing_ms.map(|v| v.0)),
            published(chip.total_ms.map(|v| v.0)),
            published(chip.dram_mb.map(|v| v.0)),
            published(chip.glb_mb.map(|v| v.0)),
            ours(self.coded_mb),
            ours(self.energy_mj),
            chip.energy_mj().map_or(String::new(), ours),
        ]
    }
}

/// Three cells: our figure, the chip's, and their ratio.
fn beside(ours: f64, chip: Option<f64>, decimals: usize) -> [String; 3] {
    [number(Some(ours), decimals), number(chip, decimals), ratio(ours, chip)]
}

fn ratio(ours: f64, chip: Option<f64>) -> String {
    number(chip.map(|chip| ours / chip), 2)
}

fn time_and_traffic(rows: &[Row]) -> String {
    let header = [
        "network",
        "layer",
        "PEs",
        "chip",
        "processing ms",
        "chip",
        "ratio",
        "total ms",
        "chip",
        "ratio",
        "DRAM MB",
        "ratio",
        "coded MB",
        "chip",
        "ratio",
        "GLB MB",
        "chip",
        "ratio",
    ];
    let cells = rows.iter().map(|row| {
        let chip = &row.chip;
        let dram = chip.dram_mb.map(|v| v.0);
        let mut cells = vec![row.network.clone(), row.layer.clone(), row.active_pes.to_string()];
        cells.push(chip.active_pes.map_or("-".into(), |pes| pes.to_string()));
        cells.extend(beside(row.processing_ms, chip.processing_ms.map(|v| v.0), 1));
        cells.extend(beside(row.total_ms, chip.total_ms.map(|v| v.0), 1));
        cells.extend([number(Some(row.dram_mb), 2), ratio(row.dram_mb, dram)]);
        cells.extend(beside(row.coded_mb, dram, 2));
        cells.extend(beside(row.glb_mb, chip.glb_mb.map(|v| v.0), 1));
        cells
    });
    "Time and traffic beside the published figures; ratio = model / chip, MB = 10^6 bytes. The chip's DRAM bytes are after\n\
     its run-length code: `DRAM MB` has none, `coded MB` applies it with the published shares of zeros.\n"
        .to_string()
        + &render(&header, 2..header.len(), cells.collect())
}

fn energy(rows: &[Row]) -> String {
    let header = ["network", "layer", "energy mJ", "chip", "ratio"];
    let cells = rows.iter().map(|row| {
        let mut cells = vec![row.network.clone(), row.layer.clone()];
        cells.extend(beside(row.energy_mj, row.chip.energy_mj(), 2));
        cells
    });
    "Energy on chip, DRAM left out, beside published power x total time; not tuned.\n".to_string()
        + &render(&header, 2..header.len(), cells.collect())
}

fn speeds(throughput: &Throughput, speed: Speed, macs: Macs) -> String {
    let Throughput { name, accelerator, network, .. } = throughput;
    let header = ["", "peak TOPS", "images/s", "utilization"];
    let ours = |what: &str, images: Option<f64>, utilization: f64| {
        let cells = [number(Some(speed.peak_tops), 2), number(images, 0), number(Some(utilization), 3)];
        [&[format!("{accelerator}, {what}")], &cells[..]].concat()
    };
    let chips = throughput.rates.iter().map(|rate| {
        vec![
            rate.what.clone(),
            number(Some(rate.peak_tops.0), 2),
            number(rate.images_per_s.map(|v| v.0), 0),
            number(rate.utilization(macs), 3),
        ]
    });
    let rows = [
        ours("layers with MACs", None, speed.mac_utilization),
        ours("all layers", Some(speed.images_per_s), speed.utilization),
    ];
    let differs = throughput.differs.iter().map(|each| format!("- {each}\n"));
    format!(
        "{name} on {network} at batch 1; utilization = 2 x MACs x images/s / peak\n{}What differs:\n{}",
        render(&header, 1..header.len(), rows.into_iter().chain(chips).collect()),
        differs.collect::<String>()
    )
}
