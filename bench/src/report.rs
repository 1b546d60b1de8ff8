//! What was measured: a table for people, or one JSON object per line.

use serde_json::json;

/// One figure.
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// The limit it is held against, and its share of that.
    pub ratio: Option<(&'static str, f64)>,
    /// What it should be, in words.
    pub target: &'static str,
    /// Whether it is.
    pub met: Option<bool>,
    /// What else is worth knowing.
    pub note: String,
}

impl Figure {
    /// A figure without a target: a limit of the machine.
    pub fn limit(name: &'static str, value: f64, unit: &'static str, note: &str) -> Figure {
        Figure { name, value, unit, ratio: None, target: "", met: None, note: note.to_owned() }
    }

    /// A rate that should be at least `least` of the limit `of`.
    pub fn share(
        name: &'static str,
        value: f64,
        (of, ratio): (&'static str, f64),
        (least, target): (f64, &'static str),
        note: String,
    ) -> Figure {
        let met = Some(ratio >= least);
        Figure { name, value, unit: "1/s", ratio: Some((of, ratio)), target, met, note }
    }

    /// A rate beside the limit `of`, without a share that it should have.
    pub fn beside(
        name: &'static str,
        value: f64,
        ratio: (&'static str, f64),
        note: String,
    ) -> Figure {
        Figure { name, value, unit: "1/s", ratio: Some(ratio), target: "", met: None, note }
    }

    /// A value that should stay under `most`.
    pub fn under(
        name: &'static str,
        value: f64,
        unit: &'static str,
        (most, target): (f64, &'static str),
        note: String,
    ) -> Figure {
        Figure { name, value, unit, ratio: None, target, met: Some(value < most), note }
    }
}

/// Figures as they come.
pub struct Report {
    json: bool,
    figures: Vec<Figure>,
}

impl Report {
    /// One that prints JSON lines as it goes, or a table at its end.
    pub fn new(json: bool) -> Report {
        Report { json, figures: Vec::new() }
    }

    /// Takes a figure in.
    pub fn add(&mut self, figure: Figure) {
        if self.json {
            println!(
                "{}",
                json!({
                    "name": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "ratio_to": figure.ratio.map(|(of, _)| of),
                    "ratio": figure.ratio.map(|(_, ratio)| ratio),
                    "target": figure.target,
                    "met": figure.met,
                    "note": figure.note,
                })
            );
        }
        self.figures.push(figure);
    }

    /// Prints the table.
    pub fn end(&self) {
        if self.json {
            return;
        }
        println!(
            "{:<34} {:>12} {:<5} {:>10}  {:<14} {:<6} note",
            "figure", "value", "unit", "ratio", "target", "met"
        );
        for figure in &self.figures {
            let ratio =
                figure.ratio.map_or(String::new(), |(of, ratio)| format!("{ratio:.3} {of}"));
            let met = match figure.met {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "",
            };
            let digits = if figure.value < 1000.0 { 2 } else { 0 };
            println!(
                "{:<34} {:>12.digits$} {:<5} {:>10}  {:<14} {:<6} {}",
                figure.name, figure.value, figure.unit, ratio, figure.target, met, figure.note
            );
        }
    }
}

/// The median of several runs.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
