//! What was measured, in the order in which it was: a flat list of figures, from which tables, plots, the JSON file and
//! the comparison with an earlier run are made.

use serde::{Deserialize, Serialize};

use crate::stats::{median, quantile, sorted};

/// One figure of one contender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) section: String,
    /// What is measured: "starts/s at 4".
    pub(crate) name: String,
    pub(crate) who: String,
    pub(crate) unit: String,
    pub(crate) kind: Kind,
    /// In the order of their coming; of many samples, the quantiles 0 to 100 alone are kept in the file.
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

    pub(crate) fn find(&self, section: &str, name: &str, who: &str) -> Option<&Figure> {
        self.0.iter().find(|figure| figure.is(section, name, who))
    }
}
