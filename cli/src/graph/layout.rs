//! Where the boxes of a layered graph stand (after Sugiyama): layers by longest way, long edges through points of their
//! own, fewer crossings by medians, then each layer spread so that neighbours are near each other.

use std::collections::BTreeMap;

/// A place of the picture.
pub(super) type Point = (f64, f64);

/// A graph with its places.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The middle of each box.
    pub(super) boxes: Vec<Point>,
    /// The points of each edge, from box to box, in order.
    pub(super) edges: Vec<Vec<Point>>,
    /// Width and height of all of it.
    pub(super) size: Point,
}

/// Between two boxes of a layer.
const GAP: f64 = 28.0;
/// Between two layers.
const RISE: f64 = 46.0;
/// How often the layers are gone through to lessen crossings.
const SWEEPS: usize = 12;
/// The width that an edge takes where it passes a layer.
const POINT: f64 = 12.0;

/// A box, or a point that an edge passes.
struct Slot {
    width: f64,
    layer: usize,
    up: Vec<usize>,
    down: Vec<usize>,
    x: f64,
}

/// Lays a graph without circles out, from the top down. `sizes` are widths and heights, `edges` go from box to box.
pub(super) fn layout(sizes: &[Point], edges: &[(usize, usize)]) -> Layout {
    let layers = layers(sizes.len(), edges);
    let slot = |width, layer| Slot { width, layer, up: Vec::new(), down: Vec::new(), x: 0.0 };
    let mut slots: Vec<Slot> = sizes.iter().zip(&layers).map(|((w, _), l)| slot(*w, *l)).collect();
    let mut ways = Vec::new();
    for (from, to) in edges {
        let (Some(first), Some(last)) = (layers.get(*from), layers.get(*to)) else { continue };
        let mut way = vec![*from];
        for layer in first + 1..*last {
            slots.push(slot(POINT, layer));
            way.push(slots.len() - 1);
        }
        way.push(*to);
        for pair in way.windows(2) {
            if let [a, b] = pair {
                slots.get_mut(*a).into_iter().for_each(|s| s.down.push(*b));
                slots.get_mut(*b).into_iter().for_each(|s| s.up.push(*a));
            }
        }
        ways.push(way);
    }
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); layers.iter().max().map_or(0, |l| l + 1)];
    for (at, slot) in slots.iter().enumerate() {
        rows.get_mut(slot.layer).into_iter().for_each(|row| row.push(at));
    }
    order(&slots, &mut rows);
    spread(&mut slots, &rows);
    place(sizes, &slots, &rows, &ways)
}

/// The layer of each box: one below the lowest that it follows.
fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0; count];
    // In a graph without circles each round settles one layer more.
    for _ in 0..count {
        let mut moved = false;
        for (from, to) in edges {
            let wanted = layers.get(*from).copied().unwrap_or(0) + 1;
            if let Some(layer) = layers.get_mut(*to).filter(|l| **l < wanted) {
                *layer = wanted;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    layers
}

fn places(rows: &[Vec<usize>]) -> BTreeMap<usize, usize> {
    rows.iter().flat_map(|row| row.iter().enumerate().map(|(at, slot)| (*slot, at))).collect()
}

/// Sorts each layer by the middle of what its members are joined to, down and up again; the best order found stays.
fn order(slots: &[Slot], rows: &mut Vec<Vec<usize>>) {
    let mut best = (crossings(slots, rows), rows.clone());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let count = rows.len();
        for step in 0..count {
            let at = places(rows);
            let Some(row) = rows.get_mut(if down { step } else { count - 1 - step }) else { continue };
            let middle = |slot: &usize| {
                let slot_ref = slots.get(*slot);
                let joined =
                    slot_ref.map(|s| if down { s.up.as_slice() } else { s.down.as_slice() }).unwrap_or_default();
                let mut found: Vec<usize> = joined.iter().filter_map(|n| at.get(n).copied()).collect();
                found.sort_unstable();
                match found.get(found.len() / 2) {
                    Some(middle) => *middle as f64,
                    None => at.get(slot).copied().unwrap_or(0) as f64,
                }
            };
            let mut keyed: Vec<(f64, usize)> = row.iter().map(|slot| (middle(slot), *slot)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            *row = keyed.into_iter().map(|(_, slot)| slot).collect();
        }
        let now = crossings(slots, rows);
        if now < best.0 {
            best = (now, rows.clone());
        }
    }
    *rows = best.1;
}

/// How many edges between neighbouring layers cross.
fn crossings(slots: &[Slot], rows: &[Vec<usize>]) -> usize {
    let at = places(rows);
    let mut count = 0;
    for row in rows {
        let mut ends: Vec<usize> = Vec::new();
        for slot in row {
            let mut below: Vec<usize> =
                slots.get(*slot).iter().flat_map(|s| &s.down).filter_map(|n| at.get(n).copied()).collect();
            below.sort_unstable();
            for end in below {
                count += ends.iter().filter(|e| **e > end).count();
                ends.push(end);
            }
        }
    }
    count
}

/// Gives each slot its place in its layer: near the mean of what it is joined to, without overlaps.
fn spread(slots: &mut [Slot], rows: &[Vec<usize>]) {
    let width = |slots: &[Slot], at: usize| slots.get(at).map_or(0.0, |s| s.width);
    for row in rows {
        let mut x = 0.0;
        for at in row {
            let w = width(slots, *at);
            slots.get_mut(*at).into_iter().for_each(|s| s.x = x + w / 2.0);
            x += w + GAP;
        }
        let middle = (x - GAP) / 2.0;
        row.iter().for_each(|at| slots.get_mut(*at).into_iter().for_each(|s| s.x -= middle));
    }
    for round in 0..SWEEPS * 2 {
        let down = round % 2 == 0;
        let count = rows.len();
        for step in 0..count {
            let Some(row) = rows.get(if down { step } else { count - 1 - step }) else { continue };
            let wanted: Vec<f64> = row.iter().map(|at| wish(slots, *at, down)).collect();
            // From the left as far as needed, from the right as far as needed, and the mean of both.
            let mut left = wanted.clone();
            let mut right = wanted.clone();
            let apart = |i: usize| {
                let (a, b) = (row.get(i).copied().unwrap_or(0), row.get(i + 1).copied().unwrap_or(0));
                (width(slots, a) + width(slots, b)) / 2.0 + GAP
            };
            for i in 0..row.len().saturating_sub(1) {
                let least = left.get(i).copied().unwrap_or(0.0) + apart(i);
                left.get_mut(i + 1).into_iter().for_each(|x| *x = x.max(least));
            }
            for i in (0..row.len().saturating_sub(1)).rev() {
                let most = right.get(i + 1).copied().unwrap_or(0.0) - apart(i);
                right.get_mut(i).into_iter().for_each(|x| *x = x.min(most));
            }
            for ((at, l), r) in row.iter().zip(left).zip(right) {
                slots.get_mut(*at).into_iter().for_each(|s| s.x = f64::midpoint(l, r));
            }
        }
    }
}

fn wish(slots: &[Slot], at: usize, down: bool) -> f64 {
    let Some(slot) = slots.get(at) else { return 0.0 };
    let joined = if down { &slot.up } else { &slot.down };
    if joined.is_empty() {
        return slot.x;
    }
    joined.iter().filter_map(|n| slots.get(*n)).map(|s| s.x).sum::<f64>() / joined.len() as f64
}

fn place(sizes: &[Point], slots: &[Slot], rows: &[Vec<usize>], ways: &[Vec<usize>]) -> Layout {
    let height = |at: &usize| sizes.get(*at).map_or(0.0, |(_, h)| *h);
    let mut tops = Vec::new();
    let mut y = 0.0;
    for row in rows {
        let tallest = row.iter().map(height).fold(0.0, f64::max);
        tops.push((y, tallest));
        y += tallest + RISE;
    }
    let edge =
        |f: fn(f64, f64) -> f64, sign: f64, start: f64| slots.iter().map(|s| s.x + sign * s.width / 2.0).fold(start, f);
    let (left, right) = (edge(f64::min, -1.0, f64::INFINITY), edge(f64::max, 1.0, f64::NEG_INFINITY));
    let middle = |at: usize| {
        let slot = slots.get(at)?;
        let (top, tallest) = tops.get(slot.layer).copied().unwrap_or_default();
        Some((slot.x - left, top + tallest / 2.0))
    };
    let boxes: Vec<Point> = (0..sizes.len()).filter_map(middle).collect();
    let edges = ways
        .iter()
        .map(|way| {
            let mut points: Vec<Point> = Vec::new();
            for (i, at) in way.iter().enumerate() {
                let Some((x, y)) = middle(*at) else { continue };
                let half = height(at) / 2.0;
                match (i, i + 1 == way.len()) {
                    (0, _) => points.push((x, y + half)),
                    (_, true) => points.push((x, y - half)),
                    _ => points.push((x, y)),
                }
            }
            points
        })
        .collect();
    let width = if right > left { right - left } else { 0.0 };
    Layout { boxes, edges, size: (width, (y - RISE).max(0.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_never_overlap_and_edges_go_down() {
        // Thirty boxes: a ladder with rungs and long edges.
        let sizes: Vec<Point> = (0..30).map(|n| (80.0 + f64::from(n % 5) * 40.0, 40.0)).collect();
        let mut edges: Vec<(usize, usize)> = (0..28).map(|n| (n, n + 2)).collect();
        edges.extend([(0, 29), (3, 20), (5, 6), (1, 12)]);
        let layout = layout(&sizes, &edges);
        for (a, (p, s)) in layout.boxes.iter().zip(&sizes).enumerate() {
            assert!(p.0 - s.0 / 2.0 >= -0.001 && p.0 + s.0 / 2.0 <= layout.size.0 + 0.001, "{a}");
            for (q, t) in layout.boxes.iter().zip(&sizes).skip(a + 1) {
                let apart_x = (p.0 - q.0).abs() >= (s.0 + t.0) / 2.0;
                let apart_y = (p.1 - q.1).abs() >= (s.1 + t.1) / 2.0;
                assert!(apart_x || apart_y, "{p:?} {q:?}");
            }
        }
        for way in &layout.edges {
            assert!(way.windows(2).all(|w| w[0].1 < w[1].1), "{way:?}");
        }
    }

    #[test]
    fn what_need_not_cross_does_not() {
        // Two chains side by side, named crosswise.
        let sizes = vec![(50.0, 20.0); 6];
        let edges = [(0, 3), (1, 2), (2, 4), (3, 5)];
        let layout = layout(&sizes, &edges);
        let x = |n: usize| layout.boxes[n].0;
        assert_eq!(x(0) < x(1), x(3) < x(2));
        assert_eq!(x(3) < x(2), x(5) < x(4));
        assert!(super::layout(&[], &[]).boxes.is_empty());
    }
}
