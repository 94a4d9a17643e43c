//! What was measured, in the order in which it was: a flat list of figures, from which tables, plots, the JSON file and
//! the comparison with an earlier run are made.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host;
use crate::stats::{median, quantile, sorted};

/// How many quantiles are kept of many samples, both ends among them.
const KEPT: usize = 201;

/// One figure of one contender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) section: String,
    /// What is measured: "starts/s at 4".
    pub(crate) name: String,
    pub(crate) who: String,
    pub(crate) unit: String,
    pub(crate) kind: Kind,
    /// In the order of their coming; of many samples, evenly spread quantiles alone are kept.
    pub(crate) values: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A value a round: the contenders' values of one round stand beside each other.
    Rounds,
    /// A value a request, all rounds together: quantiles are what counts.
    Samples,
}

impl Figure {
    pub(crate) fn median(&self) -> f64 {
        median(&self.values)
    }

    pub(crate) fn quantile(&self, q: f64) -> f64 {
        quantile(&sorted(&self.values), q)
    }

    /// How often the other's value this one's is. Within a round both met the same machine, so it is the median of the
    /// rounds' ratios, and not the ratio of the medians.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        match self.kind {
            Kind::Rounds if self.values.len() == other.values.len() => {
                let ratios: Vec<_> = self.values.iter().zip(&other.values).map(|(a, b)| a / b).collect();
                median(&ratios)
            }
            _ => self.median() / other.median(),
        }
    }

    /// Quantiles of quantiles are near enough.
    fn thin(&mut self) {
        if self.kind == Kind::Samples && self.values.len() > KEPT {
            let sorted = sorted(&self.values);
            self.values = (0..KEPT).map(|at| quantile(&sorted, at as f64 / (KEPT - 1) as f64)).collect();
        }
    }

    fn is(&self, section: &str, name: &str, who: &str) -> bool {
        self.section == section && self.name == name && self.who == who
    }
}

/// All of a run.
#[derive(Debug, Default)]
pub(crate) struct Results(pub(crate) Vec<Figure>);

impl Results {
    /// A value of this round.
    pub(crate) fn round(&mut self, section: &str, name: &str, who: &str, unit: &str, value: f64) {
        self.figure(section, name, who, unit, Kind::Rounds).values.push(value);
    }

    /// Values of single requests.
    pub(crate) fn samples(&mut self, section: &str, name: &str, who: &str, unit: &str, values: &[f64]) {
        self.figure(section, name, who, unit, Kind::Samples).values.extend(values);
    }

    fn figure(&mut self, section: &str, name: &str, who: &str, unit: &str, kind: Kind) -> &mut Figure {
        let at = self.0.iter().position(|figure| figure.is(section, name, who)).unwrap_or_else(|| {
            self.0.push(Figure {
                section: section.to_owned(),
                name: name.to_owned(),
                who: who.to_owned(),
                unit: unit.to_owned(),
                kind,
                values: Vec::new(),
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

/// A run as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct File {
    /// When it ended.
    pub(crate) taken: String,
    pub(crate) seconds: f64,
    /// How it was called.
    pub(crate) arguments: Vec<String>,
    /// Machine and versions.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) figures: Vec<Figure>,
}

impl File {
    pub(crate) fn of(results: Results, program: &Path, took: Duration) -> Self {
        let mut figures = results.0;
        // Each section's together.
        let order: Vec<_> = figures.iter().map(|figure| figure.section.clone()).collect();
        figures.sort_by_key(|figure| order.iter().position(|section| *section == figure.section));
        figures.iter_mut().for_each(Figure::thin);
        Self {
            taken: jiff::Timestamp::now().to_string(),
            seconds: took.as_secs_f64(),
            arguments: std::env::args().skip(1).collect(),
            facts: host::facts(program),
            figures,
        }
    }

    pub(crate) fn read(file: &Path) -> Self {
        let text = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    pub(crate) fn write(&self, file: &Path) {
        let text = serde_json::to_string_pretty(self).expect("figures are JSON");
        fs::write(file, text + "\n").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    pub(crate) fn find(&self, section: &str, name: &str, who: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.is(section, name, who))
    }

    /// What is measured, each once, with all whom it was measured of.
    pub(crate) fn groups(&self) -> Vec<Vec<&Figure>> {
        let mut groups: Vec<Vec<&Figure>> = Vec::new();
        for figure in &self.figures {
            let mates = |group: &&mut Vec<&Figure>| {
                group[0].section == figure.section && group[0].name == figure.name
            };
            match groups.iter_mut().find(mates) {
                Some(group) => group.push(figure),
                None => groups.push(vec![figure]),
            }
        }
        groups
    }
}
