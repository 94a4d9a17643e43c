# Thin: what is done stands in scripts/ and in cargo's own commands.
.PHONY: run test clients fuzz faults prerequisites first-look recovery clones rounds siege guest package bench bench-prerequisites

run: ## install what is missing, build, lay the demo bundle at /containers/redis, serve on localhost:8888
	scripts/prerequisites run
	@echo "building: some minutes the first time"
	scripts/build
	scripts/demo-bundle
	exec target/release/containerd-rest serve

test: ## install what the tests need, and run every check that lands
	scripts/prerequisites test
	scripts/checks

clients: ## generate five clients from what the daemon serves, compile them, and run each through a container's life
	scripts/prerequisites test
	scripts/clients

fuzz: ## schemathesis against a real daemon, 1,000 examples an operation, up to 90 minutes; then seven readers of foreign bytes, 40 minutes
	scripts/prerequisites test
	scripts/fuzz
	scripts/fuzz-targets

faults: ## kill the daemon and its shims at every cut point and at random instants: about 25 minutes
	scripts/prerequisites test
	scripts/faults

prerequisites: ## install what the daemon and its tests need
	scripts/prerequisites test

recovery: ## how long a killed daemon takes to be back with 100 and with 1,000 containers
	scripts/prerequisites test
	scripts/build --quiet
	scripts/recovery

siege: ## how long /state takes, and what memory the daemon has, under idle, slow, large and deaf callers: about two minutes
	scripts/prerequisites test
	scripts/build --quiet
	scripts/siege

rounds: ## 200 rounds of checkpoint and restore of one container
	scripts/prerequisites test
	CHECKPOINT_ROUNDS=200 cargo test --locked --test integration -- rounds::a_chain

clones: ## fifty restores of one checkpoint at once, beside bare runc
	scripts/prerequisites run
	scripts/build --quiet
	scripts/clones

first-look: ## start, exec, checkpoint, restore through the API beside bare runc, in one run
	scripts/prerequisites run
	scripts/build --quiet
	scripts/first-look

package: ## a Debian package and a tarball, in target/package
	packaging/build

guest: ## integration tests in a virtual machine with systemd and cgroup v2, without and with --systemd-cgroup: most of an hour where it is emulated
	tests/guest/integration lifecycle:: clones:: care:: stops::
	tests/guest/integration --systemd-cgroup lifecycle:: clones:: care:: stops::

bench: ## the daemon beside bare runc, containerd and podman, all figures: about 25 minutes; ARGS="--quick", ARGS="--only starts", ARGS=--help
	scripts/build --quiet
	cargo build --release --locked --quiet --manifest-path tests/bench/Cargo.toml --target-dir target
	target/release/bench $(ARGS)

bench-prerequisites: ## install the peers that are measured beside it, and what measures
	scripts/prerequisites bench
