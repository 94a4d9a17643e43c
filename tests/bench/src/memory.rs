//! Memory of daemons (RSS) and of what stands over a container (PSS, in which shared pages are shared out, and RSS; means),
//! as the kernel counts it in `status` and `smaps_rollup`.

use std::fs;

use crate::Bench;
use crate::batch::count;

const SECTION: &str = "memory";

pub(crate) fn measure(bench: &mut Bench, size: usize) {
    let mut seen = Vec::new();
    for contender in bench.contenders() {
        let Some(daemon) = contender.daemon() else { continue };
        let shims = contender.shims();
        // The peers have none beyond 100.
        if size > 100 && shims.len() < size {
            continue;
        }
        seen.push((format!("daemon RSS at {size}"), contender.who(), rss(daemon)));
        if size > 0 {
            assert_eq!(shims.len(), size, "shims of {}", contender.who());
            let mean =
                |of: fn(i32) -> f64| shims.iter().map(|pid| of(*pid)).sum::<f64>() / count(shims.len());
            seen.push((format!("shim PSS at {size}"), contender.who(), mean(pss)));
            seen.push((format!("shim RSS at {size}"), contender.who(), mean(rss)));
        }
    }
    for (name, who, mib) in seen {
        bench.results.round(SECTION, &name, who, "MiB", mib);
    }
}

fn rss(pid: i32) -> f64 {
    mib(&format!("/proc/{pid}/status"), "VmRSS:")
}

fn pss(pid: i32) -> f64 {
    mib(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

fn mib(file: &str, field: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.split_whitespace().next());
    value.and_then(|kib| kib.parse::<f64>().ok()).map_or(f64::NAN, |kib| kib / 1024.0)
}
