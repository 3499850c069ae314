//! Charts as SVG made of attributes and classes only, each with its words for whoever cannot see it.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use super::{show, words};

/// The drawing's size in its own units; it is scaled to the page.
const WIDTH: f64 = 640.0;
/// See [`WIDTH`].
const HEIGHT: f64 = 160.0;
/// Room around the line, so that it is not cut.
const EDGE: f64 = 6.0;

/// A stock over time, as a line of steps.
#[derive(Debug)]
pub(super) struct Course {
    /// The line.
    pub(super) line: String,
    /// The line closed down to nothing, to be filled.
    pub(super) area: String,
    /// Where nothing is.
    pub(super) ground: f64,
    /// When it begins.
    pub(super) from: DateTime<Utc>,
    /// What there was from then on, in words.
    pub(super) told: String,
    /// All of it in words.
    pub(super) words: String,
}

impl Course {
    /// From how many there were after each change, the oldest first, up to now; nothing to draw of nothing.
    pub(super) fn of(course: &[(DateTime<Utc>, i64)], now: DateTime<Utc>) -> Option<Self> {
        let (first, last) = (course.first()?, course.last()?);
        let numbers = || course.iter().map(|(_, quantity)| *quantity);
        let (low, high) = (numbers().min()?, numbers().max()?);
        let (bottom, top) = (low.min(0), high.max(1_000));
        let seconds = (now - first.0).num_seconds().max(1);
        let x = |at: DateTime<Utc>| {
            share((at - first.0).num_seconds(), seconds) * (WIDTH - 2.0 * EDGE) + EDGE
        };
        let y = |quantity: i64| {
            let wide = i128::from;
            let down = share(wide(top) - wide(quantity), wide(top) - wide(bottom));
            down * (HEIGHT - 2.0 * EDGE) + EDGE
        };
        let mut line = format!("M{EDGE:.1} {:.1}", y(first.1));
        for (at, quantity) in course {
            // Writing to a String cannot fail.
            let _ = write!(line, "H{:.1}V{:.1}", x(*at), y(*quantity));
        }
        let _ = write!(line, "H{:.1}", WIDTH - EDGE);
        let ground = y(0);
        let area = format!("{line}V{ground:.1}H{EDGE:.1}Z");
        let (low, high) = (words::units(&low), words::units(&high));
        let told = format!(
            "{} then, at most {high}, at least {low}, {} now.",
            words::units(&first.1),
            words::units(&last.1),
        );
        let words = format!("Stock since {}: {told}", show::moment(&first.0));
        Some(Self { line, area, ground, from: first.0, told, words })
    }
}

/// How much of the whole a part is, from 0 to 1.
fn share(part: impl Into<i128>, whole: impl Into<i128>) -> f64 {
    // Pixels: what is lost in a float is far below one.
    #[allow(clippy::cast_precision_loss)]
    let share = part.into() as f64 / whole.into().max(1) as f64;
    share.clamp(0.0, 1.0)
}

/// One bar of a chart.
#[derive(Debug)]
pub(super) struct Bar {
    /// Where it begins.
    pub(super) x: f64,
    /// Its upper end.
    pub(super) y: f64,
    /// How wide it is.
    pub(super) width: f64,
    /// How high it is.
    pub(super) height: f64,
    /// What it says, in words.
    pub(super) words: String,
}

/// Bars side by side, each with its words; the highest fills the drawing.
pub(super) fn bars(numbers: &[(i64, String)]) -> Vec<Bar> {
    let most = numbers.iter().map(|(number, _)| *number).max().unwrap_or(0).max(1);
    let slot = WIDTH / f64::from(u32::try_from(numbers.len().max(1)).unwrap_or(u32::MAX));
    let mut x = slot * 0.15;
    let mut bars = Vec::new();
    for (number, words) in numbers {
        let height = share(*number, most) * (HEIGHT - EDGE);
        bars.push(Bar { x, y: HEIGHT - height, width: slot * 0.7, height, words: words.clone() });
        x += slot;
    }
    bars
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_course_goes_in_steps_and_says_what_it_shows() {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        let at = |hours| now - TimeDelta::hours(hours);
        let course = [(at(10), 10_000), (at(5), 5_000), (at(0), 0)];
        let drawn = Course::of(&course, now).unwrap();
        assert_eq!(drawn.line, "M6.0 6.0H6.0V6.0H320.0V80.0H634.0V154.0H634.0");
        assert!((drawn.ground - 154.0).abs() < 0.01);
        assert!(
            drawn.words.ends_with("10 then, at most 10, at least 0, 0 now."),
            "{}",
            drawn.words
        );
        assert!(Course::of(&[], now).is_none());
    }

    #[test]
    fn what_went_below_nothing_is_drawn_below_the_ground() {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        let drawn = Course::of(&[(now, i64::MIN), (now, i64::MAX)], now).unwrap();
        assert!(drawn.ground > 6.0 && drawn.ground < 154.0, "{}", drawn.ground);
    }

    #[test]
    fn the_highest_bar_fills_the_chart() {
        let bars = bars(&[(0, "none".to_owned()), (5, "five".to_owned())]);
        assert!((bars[1].height - 154.0).abs() < 0.01 && bars[0].height.abs() < 0.01);
        assert!(bars[0].x < bars[1].x && bars[1].x + bars[1].width < 640.0);
    }
}
