//! The shim: see [`containerd_rest::shim`]. Started by the daemon alone, with its socket as standard input.

fn main() -> std::process::ExitCode {
    containerd_rest::shim::main()
}
