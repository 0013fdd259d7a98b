//! An experiment in a folder of its own, and its results.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::common::mascot;

pub(crate) fn succeed(args: &[&str]) -> String {
    let output = mascot(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with a scenario, an experiment on hetero-4 under fcfs, and results.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new(tenants: &str, experiment: &str) -> Self {
        let bench = Self(TempDir::new().unwrap());
        bench.write("own.toml", &format!("name = 'own'\nsource = 'a test'\n{tenants}"));
        let scenario = bench.path("own.toml");
        let fixed = format!("systems = ['hetero-4']\nscenarios = ['{scenario}']\nschedulers = ['fcfs']\n");
        bench.write("run.toml", &(fixed + experiment));
        bench
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_string()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Runs the experiment and gives a column of one of its files.
    pub(crate) fn run(&self, more: &[&str]) -> Results {
        let (file, out) = (self.path("run.toml"), self.path("out"));
        let fixed = ["run", &file, "--out", &out, "--quiet", "--requests"];
        succeed(&[&fixed[..], more].concat());
        Results(PathBuf::from(out))
    }

    pub(crate) fn error(&self) -> String {
        let output = mascot(&["run", &self.path("run.toml"), "--out", &self.path("out")]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!Path::new(&self.path("out")).exists());
        String::from_utf8(output.stderr).unwrap()
    }
}

pub(crate) struct Results(pub(crate) PathBuf);

impl Results {
    pub(crate) fn column(&self, file: &str, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.0.join(file)).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let place = reader.headers().unwrap().iter().position(|h| h == name);
        let place = place.unwrap_or_else(|| panic!("no column {name}"));
        reader.records().map(|row| row.unwrap()[place].to_string()).collect()
    }

    pub(crate) fn numbers(&self, file: &str, name: &str) -> Vec<f64> {
        self.column(file, name).iter().map(|value| value.parse().unwrap()).collect()
    }
}
