# The targets' names are those that Kubewarden's shared workflows call. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

CARGO ?= cargo
KWCTL ?= kwctl
WASM_OPT ?= wasm-opt
TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))

GUEST_WASM := $(TARGET_DIR)/wasm32-wasip1/guest/kuma_workload_policy.wasm
GUEST_SOURCES := Cargo.toml Cargo.lock rulebook/Cargo.toml guest-json/Cargo.toml $(shell find src rulebook/src guest-json/src -name '*.rs')
PYTHON_SCRIPTS := $(addprefix scripts/,chart-alerts chart-objects chart-values chart-vap check-docs docs-pages kubernetes-schemas sizes)
SHELL_SCRIPTS := .ci/run examples/ci/pre-commit $(filter-out $(PYTHON_SCRIPTS),$(wildcard scripts/*)) $(addprefix e2e-tests/testbed/,apart build demo find-go hold start stop servers.bash) e2e-tests/simulation/record
# Each file or folder there is a test binary. Those that need more tools have a target of their own.
CLUSTER_TESTS := $(filter-out chart,$(basename $(notdir $(wildcard e2e-tests/testbed/tests/*))))

# How programs are built: with the features that the dependencies have in `make test`, so that nothing is
# compiled twice. They are those of the whole workspace and of targets for development: of the examples,
# since there are none to build.
BUILD := $(CARGO) build --locked --target-dir $(TARGET_DIR) --workspace --examples
PROGRAMS := $(TARGET_DIR)/debug

# $(call build,PROGRAM)
define build
@[ -x $(PROGRAMS)/$(1) ] || echo "building $(1): some minutes, this once"
@$(BUILD) $(if $(wildcard $(PROGRAMS)/$(1)),--quiet) --bin $(1)
endef
HAVE_KWCTL := $(shell command -v $(KWCTL))
# Where the tests and the benchmarks find the policy, and the one that it is compared with.
export KUMA_WORKLOAD_POLICY_WASM := $(CURDIR)/annotated-policy.wasm
export KUMA_WORKLOAD_FLOOR_WASM := $(TARGET_DIR)/floor.wasm

BUILD_GUEST := scripts/wasm-target wasm32-wasip1 rustc --quiet --locked --target-dir $(TARGET_DIR) --profile guest

# The manifests of the cluster that `make run` asks.
CLUSTER ?= examples/cluster
FUZZ_TARGET ?= validate
FUZZ_SECONDS ?= 60
CHAOS_SECONDS ?= 300

policy.wasm: $(GUEST_SOURCES) scripts/wasm-target scripts/shrink-wasm ## The policy, without its metadata
	@# Only as a lone cdylib is it optimised at link time: beside an rlib, cargo leaves that out.
	$(BUILD_GUEST) --package kuma-workload-policy --lib --crate-type cdylib
	WASM_OPT=$(WASM_OPT) scripts/shrink-wasm $(GUEST_WASM) $@

# kwctl writes the metadata where it is installed, the project's own host elsewhere.
annotated-policy.wasm: policy.wasm policy-metadata.yml README.md ## The policy with its metadata: what is published
ifneq ($(HAVE_KWCTL),)
	$(KWCTL) annotate -m policy-metadata.yml -u README.md -o $@ policy.wasm
else
	$(call build,policy-host)
	$(PROGRAMS)/policy-host annotate -m policy-metadata.yml -u README.md -o $@ policy.wasm
endif

artifacthub-pkg.yml: policy-metadata.yml questions-ui.yml ## Artifact Hub's description of the package (needs kwctl)
ifneq ($(HAVE_KWCTL),)
	$(KWCTL) scaffold artifacthub -m policy-metadata.yml -q questions-ui.yml -o $@
else
	@echo "artifacthub-pkg.yml: kwctl is not installed (KWCTL=$(KWCTL)), so the committed file stays as it is"
endif

.PHONY: run
run: ARGS ?= --settings examples/settings.yml examples/requests
run: annotated-policy.wasm ## Judge the example requests; others: ARGS='[-o json] [--settings FILE] PATH…' CLUSTER=PATH
	$(call build,policy-host)
	@$(PROGRAMS)/policy-host run --policy $< --cluster $(CLUSTER) $(ARGS)

.PHONY: plan
plan: ARGS ?= --fail-on never examples/plan/kubernetes
plan: ## Plan the example manifests; others: ARGS='[-o wide] [--settings FILE] PATH…'
	$(call build,kuma-workload)
	@$(PROGRAMS)/kuma-workload plan $(ARGS)

.PHONY: test
test: annotated-policy.wasm ## Every test, the built policy's included
	$(CARGO) test --locked --workspace

.PHONY: test-cluster
test-cluster: annotated-policy.wasm ## Policy and reconciler on a real API server (needs Go, or KUBEBUILDER_ASSETS; TESTS=NAME for some)
	e2e-tests/testbed/build
	$(BUILD) --quiet --bin kuma-workload
	$(CARGO) test --locked --workspace --features kuma-workload-testbed/cluster $(CLUSTER_TESTS:%=--test %) $(TESTS)

.PHONY: chart-cluster-test
chart-cluster-test: ## The chart on a real API server, with Helm, kube-scheduler and KWOK's Nodes (needs Go; TESTS=NAME for some)
	e2e-tests/testbed/build
	$(BUILD) --quiet --bin kuma-workload
	@# More tests at a time than there are processors: much of it is waiting.
	PATH="$$(scripts/tools helm kwok):$$PATH" RUST_TEST_THREADS=4 \
		$(CARGO) test --locked --workspace --features kuma-workload-testbed/cluster --test chart $(TESTS)

.PHONY: registry-test
registry-test: annotated-policy.wasm ## Push and pull against Debian's docker-registry, which it installs (needs root on Debian, or the registry)
	scripts/tools docker-registry htpasswd >/dev/null
	$(CARGO) test --locked --workspace --features kuma-workload-registry/docker-registry --test program docker_registry

.PHONY: chaos
chaos: annotated-policy.wasm ## Servers and replicas are killed in a loop under changes, for CHAOS_SECONDS (300); then all must be whole
	@e2e-tests/testbed/build >/dev/null
	$(BUILD) --quiet --bin kuma-workload
	CHAOS_SECONDS=$(CHAOS_SECONDS) $(CARGO) test --quiet --locked --workspace --features kuma-workload-testbed/cluster \
		--test chaos -- --include-ignored --nocapture

.PHONY: chart-test
chart-test: ## The chart: lint, unit tests, schemas, alerts, and that it agrees with the rest (needs Go; installs its tools)
	$(call build,kuma-workload)
	KUMA_WORKLOAD_BIN=$(PROGRAMS)/kuma-workload scripts/check-chart

.PHONY: docs
docs: ## The documentation as a site, into dist/docs (builds mdBook first, some minutes; needs npm and a Chromium)
	scripts/docs

.PHONY: docs-site-test
docs-site-test: docs ## That site: its links and headings, its diagrams, and that it loads nothing from elsewhere
	scripts/check-site

.PHONY: docs-test
docs-test: ## The documentation: its links, commands, values and rules exist (needs Python alone; better after a build)
	scripts/check-docs

.PHONY: demo
demo: annotated-policy.wasm ## The whole system on a real API server, shown with kubectl (needs Go, or KUBEBUILDER_ASSETS)
	@e2e-tests/testbed/build >/dev/null
	@$(BUILD) --quiet --bin kuma-workload --bin policy-webhook
	@KUMA_WORKLOAD_BIN=$(PROGRAMS)/kuma-workload POLICY_WEBHOOK=$(PROGRAMS)/policy-webhook e2e-tests/testbed/demo

.PHONY: e2e-tests
e2e-tests: annotated-policy.wasm ## The same cases with the real kwctl (needs kwctl, bats and jq)
	@for tool in $(KWCTL) bats jq; do \
		command -v $$tool >/dev/null || { echo "e2e-tests: $$tool is not installed" >&2; exit 1; }; \
	done
	KWCTL=$(KWCTL) bats e2e-tests

# Annotated too, since policy-server hosts no other.
$(KUMA_WORKLOAD_FLOOR_WASM): $(wildcard benches/floor/*.* benches/floor/src/*) scripts/wasm-target scripts/shrink-wasm
	$(BUILD_GUEST) --manifest-path benches/floor/Cargo.toml --lib
	WASM_OPT=$(WASM_OPT) scripts/shrink-wasm $(TARGET_DIR)/wasm32-wasip1/guest/floor.wasm $@.plain
	$(call build,policy-host)
	$(PROGRAMS)/policy-host annotate -m benches/floor/metadata.yml -o $@ $@.plain

.PHONY: bench
bench: annotated-policy.wasm $(KUMA_WORKLOAD_FLOOR_WASM) ## What the policy costs, as ratios; fails above its bound
	$(CARGO) bench --quiet --locked --workspace --bench policy

.PHONY: bench-server
bench-server: annotated-policy.wasm $(KUMA_WORKLOAD_FLOOR_WASM) ## Requests a second before a real API server (POLICY_SERVER=PROGRAM: of the real policy-server)
	@e2e-tests/testbed/build >/dev/null
	$(CARGO) bench --quiet --locked --workspace --bench server

.PHONY: race
race: annotated-policy.wasm ## How often two Pods of different meshes get in together, by the time between them (POLICY_SERVER as above)
	@e2e-tests/testbed/build >/dev/null
	$(CARGO) bench --quiet --locked --workspace --bench race

.PHONY: bench-plan
bench-plan: ## What plan costs (KUMA_WORKLOAD_BASE=PROGRAM compares with another build)
	$(CARGO) bench --quiet --locked --package kuma-workload --bench plan

.PHONY: check-plan
check-plan: ## The bounds on what plan costs: memory, growth with the input, odd inputs
	$(CARGO) bench --quiet --locked --package kuma-workload --bench plan -- --bounds

.PHONY: bench-program
bench-program: ## What run costs as a whole, with a fake API server (ONLY='small large kuma-crd with-grant without-grant')
	$(CARGO) bench --quiet --locked --package kuma-workload --bench program -- $(ONLY)

.PHONY: bench-image
bench-image: ## The same of the program in the image, from which come the chart's requests and limit
	scripts/release-binary >/dev/null
	@# The static one, which is Linux' alone.
	KUMA_WORKLOAD_BIN=$$(echo $(CURDIR)/dist/bin/$$(uname -m)-*-musl/kuma-workload) \
		$(CARGO) bench --quiet --locked --package kuma-workload --bench program -- small large

.PHONY: check-program
check-program: ## The bounds on what run costs: memory, polls, idleness, many namespaces
	@# As the simulation is built: slower than what is shipped, and with more checks.
	$(CARGO) bench --quiet --locked --profile simulation --package kuma-workload --bench program -- --bounds

.PHONY: plan-in-node
plan-in-node: ## The plan in wasm, byte for byte as natively (needs Node)
	scripts/plan-in-node

.PHONY: playground-page
playground-page: ## The playground, dist/playground and in one file dist/playground.html; the npm package (needs Node with npm)
	scripts/playground page

.PHONY: playground
playground: PORT ?= 8000
playground: playground-page ## The same, served on the loopback (PORT=8000)
	node playground/serve.mjs dist/playground $(PORT)

# What the built policy says of the same objects, for the tests to compare.
VERDICTS := $(TARGET_DIR)/playground/verdicts
JUDGE := $(PROGRAMS)/policy-host run --policy annotated-policy.wasm --output json

.PHONY: playground-test
playground-test: annotated-policy.wasm playground-page ## The playground and its module against program and policy, in Node and in Chromium
	$(call build,kuma-workload)
	$(call build,policy-host)
	npm --prefix playground run --silent lint
	scripts/check-playground-size
	@mkdir -p $(VERDICTS)
	$(JUDGE) e2e-tests/fixtures >$(VERDICTS)/fixtures.json
	$(JUDGE) --settings examples/settings.yml --cluster examples/cluster examples/requests >$(VERDICTS)/requests.json
	$(JUDGE) --settings examples/settings.yml --cluster examples/plan/kubernetes examples/plan/kubernetes >$(VERDICTS)/manifests.json
	CHROMIUM="$$(scripts/tools browser)/browser" KUMA_WORKLOAD_BIN=$(PROGRAMS)/kuma-workload VERDICTS=$(VERDICTS) \
		npm --prefix playground test
	@# By itself: it measures.
	CHROMIUM="$$(scripts/tools browser)/browser" npm --prefix playground run test:speed

.PHONY: playground-screenshots
playground-screenshots: playground-page ## The pictures of the playground in docs/images/playground
	CHROMIUM="$$(scripts/tools browser)/browser" node playground/screenshots.mjs dist/playground docs/images/playground

.PHONY: bench-cluster
bench-cluster: ## What the reconciler costs: its index, and a rollout on a real API server (needs Go)
	$(CARGO) bench --quiet --locked --package kuma-workload --bench index
	$(CARGO) build --quiet --locked --target-dir $(TARGET_DIR) --release --package kuma-workload
	KUMA_WORKLOAD_BIN=$(TARGET_DIR)/release/kuma-workload $(CARGO) bench --quiet --locked --profile dev --workspace --bench rollout

# With the switches for planted faults, which are off unless asked for: so one build serves both.
SIMULATE := $(CARGO) run --quiet --locked --profile simulation --package kuma-workload-simulation --features planted-faults --bin simulate
SEEDS ?= 0..3000

.PHONY: simulate
simulate: ## The reconciler in virtual time, with faults drawn from seeds: SEEDS=FROM..TO, or ARGS='--seed N --trace'
	$(SIMULATE) -- $(or $(ARGS),--seeds $(SEEDS))

.PHONY: simulate-planted
simulate-planted: ## Which seed finds each fault that is planted in the reconciler
	$(SIMULATE) -- --planted --seeds 0..1000

.PHONY: record-exchanges
record-exchanges: ## What a real API server answers to the simulation's script of exchanges (needs Go)
	$(CARGO) build --quiet --locked --target-dir $(TARGET_DIR) --profile simulation --package kuma-workload-simulation --features planted-faults,record --bin record-exchanges
	e2e-tests/simulation/record $(TARGET_DIR)/simulation/record-exchanges

.PHONY: explore-lease
explore-lease: WORLDS ?= 1000000
explore-lease: EXPLORE ?= --release --package kuma-workload
explore-lease: ## Leader election in every order of events: one writer; what breaks beyond the bounds (WORLDS=1000000 of each)
	KUMA_WORKLOAD_WORLDS=$(WORLDS) $(CARGO) test --quiet --locked $(EXPLORE) --lib lease::exploration -- --nocapture --test-threads 1

.PHONY: fuzz
fuzz: ## Feed garbage to FUZZ_TARGET, validate (the policy) or plan, for FUZZ_SECONDS (60)
	scripts/fuzz $(FUZZ_TARGET) $(FUZZ_SECONDS)

.PHONY: fmt
fmt: ## Format the code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml
	$(CARGO) fmt --manifest-path benches/floor/Cargo.toml

.PHONY: lint
lint: ## Formatting, clippy, shellcheck; licences, sources and advisories of the dependencies
	$(CARGO) fmt --all --check -- --color never
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check -- --color never
	$(CARGO) fmt --manifest-path benches/floor/Cargo.toml --check -- --color never
	$(CARGO) clippy --quiet --locked --workspace --all-targets --all-features -- -D warnings
	@if command -v shellcheck >/dev/null; then \
		echo shellcheck $(SHELL_SCRIPTS); shellcheck -x $(SHELL_SCRIPTS); \
	else \
		echo "lint: shellcheck is not installed, so the scripts are not checked"; \
	fi
	scripts/deny

.PHONY: lint-workflows
lint-workflows: ## actionlint and zizmor over .github (needs Go and Python; installs its tools)
	scripts/check-workflows

.PHONY: bump
bump: ## Set the version everywhere: VERSION=0.2.0
	scripts/bump "$(VERSION)"

.PHONY: sbom
sbom: ## What program and policy are made of, as SPDX, into dist/sbom (builds cargo-sbom first)
	scripts/sbom

# The registry's name, once for all: it stands for ghcr.io in every manifest. With a path or without.
REGISTRY ?= ghcr.io

# Where the policy is there.
TAG ?= v$(shell scripts/version)
REFERENCE ?= $(REGISTRY)/kuma-workload/policies/kuma-workload-policy:$(TAG)

.PHONY: push
push: annotated-policy.wasm ## Push the policy to a registry (REGISTRY=registry.example.com, or REFERENCE=HOST/REPOSITORY:TAG)
	$(call build,policy-registry)
	@$(PROGRAMS)/policy-registry push $< $(REFERENCE)

.PHONY: pull
pull: OUTPUT ?= pulled-policy.wasm
pull: ## Pull the policy from a registry into OUTPUT, pulled-policy.wasm (REGISTRY or REFERENCE as above)
	$(call build,policy-registry)
	@$(PROGRAMS)/policy-registry pull $(REFERENCE) --output $(OUTPUT)

.PHONY: push-metadata
push-metadata: ## Push artifacthub-repo.yml, by which Artifact Hub knows whose the chart's repository is
	$(call build,policy-registry)
	@$(PROGRAMS)/policy-registry push-metadata artifacthub-repo.yml $(REGISTRY)/kuma-workload/charts/kuma-workload

.PHONY: image
image: ## The image of kuma-workload, static and from scratch, into dist/image, with completions and manual beside it (installs musl-tools)
	scripts/release-binary >/dev/null
	scripts/image

.PHONY: artefacts
artefacts: annotated-policy.wasm image ## What a cluster pulls: policy, image and chart, into dist
	cp annotated-policy.wasm dist/policy.wasm
	"$$(scripts/tools helm)/helm" package --destination dist charts/kuma-workload

.PHONY: package
package: artefacts docs ## All that is shipped, into dist: these, binary, completions, manual, documentation and playground

.PHONY: sizes
sizes: artefacts ## How large what is shipped is; fails where docs/performance.md says something else
	@scripts/sizes

.PHONY: publish
publish: artefacts ## Push all of it (REGISTRY=registry.example.com); writes the digests to dist/published.txt
	$(call build,policy-registry)
	POLICY_REGISTRY=$(PROGRAMS)/policy-registry scripts/publish $(REGISTRY)

.PHONY: images
images: ## What comes from a registry: module, image and chart (REGISTRY=registry.example.com)
	@scripts/images $(REGISTRY)

.PHONY: manifests
manifests: ## The examples, with REGISTRY in place of ghcr.io, into dist/manifests
	@scripts/manifests $(REGISTRY)

.PHONY: mirror
mirror: FROM ?= ghcr.io
mirror: ## Copy module, image and chart, with their signatures: FROM=ghcr.io TO=registry.example.com (needs Go)
	scripts/mirror "$(FROM)" "$(TO)"

.PHONY: release-test
release-test: playground-page ## After make artefacts: publish, sign, verify and mirror it, build it again, render it with Helm 3 (needs root on Debian, Go, and minutes)
	$(call build,policy-registry)
	POLICY_REGISTRY=$(PROGRAMS)/policy-registry scripts/check-release
	scripts/check-helm3
	scripts/check-image

# Cargo builds the test and does not run it: where it runs there is no network.
INSTALL_TEST := $(CARGO) test --quiet --locked --workspace --features kuma-workload-testbed/cluster --test install --no-run

.PHONY: install-test
install-test: ## Push all, install the chart from there, and run it (needs root on Linux, and Go; installs its tools; TESTS=vap for half)
	@e2e-tests/testbed/build >/dev/null
	@scripts/tools crane helm seccomp.json docker-registry prometheus runc ip jq musl-gcc openssl >/dev/null
	@# Before minutes of building: can it be run here at all?
	@e2e-tests/testbed/apart true
	@$(MAKE) artefacts
	$(call build,policy-registry)
	@$(INSTALL_TEST)
	@test=$$($(INSTALL_TEST) --message-format json | jq -r 'select(.target.name == "install").executable | values'); \
	KUMA_WORKLOAD_TOOLS=$$(scripts/tools crane) POLICY_REGISTRY=$(PROGRAMS)/policy-registry \
		e2e-tests/testbed/apart "$$test" --include-ignored --nocapture --test-threads 1 $(TESTS)

.PHONY: clean
clean: ## Remove everything that was built
	$(CARGO) clean --quiet --target-dir $(TARGET_DIR)
	rm -rf policy.wasm annotated-policy.wasm pulled-policy.wasm dist

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
