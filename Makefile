# Everything a developer of Gnomon does. `make` alone lists it. Every target works on a fresh clone, as an ordinary user or as root.

SHELL     := /bin/bash
BINARY    := gnomon
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PLATFORMS ?= linux/amd64 linux/arm64 linux/arm/7

# What to test and how: make test PKG=./sensor/wire/... TESTFLAGS='-v -run SNI'
PKG       ?= ./...
TESTFLAGS ?=
BENCH     ?= .
BENCHTIME ?= 1s
ROUNDS    ?= 5
RECORDS   ?= 300000
OUTAGE    ?= 10m
FUZZ      ?= ^Fuzz
FUZZTIME  ?= 10s

# Where `make install` puts things; DESTDIR stages them elsewhere.
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR    ?= /etc/systemd/system
SYSUSERSDIR ?= /etc/sysusers.d

# What a catalogue is signed with, and for how many days it may be taken in.
KEY  ?=
DAYS ?= 180

# Which nodes to start, and which integration tests to run: those whose names begin with TestNode, unless RUN says otherwise.
NODES ?=
RUN   ?=

# Where `make bench` puts its captures, 1.4 GB.
BENCHDIR  ?= $(CURDIR)/build/bench

# Where the lab puts what it captures.
CAPTURES  ?= $(CURDIR)/build/captures

# Modules beside the main one, which `./...` does not reach.
MODULES   := $(patsubst %/go.mod,%,$(wildcard .ci/check/go.mod testdata/lab/go.mod testdata/bench/go.mod))

GO_WANTED := $(shell sed -n 's/^go \([0-9.]*\).*/\1/p' go.mod)
GO_BUILD  := CGO_ENABLED=0 go build -pgo=auto -trimpath -ldflags '-X main.version=$(VERSION)'
# Only the program is built by its profile (see profile): tests would be compiled twice.
PLAIN      = GOFLAGS="$$(go env GOFLAGS) -pgo=off"
LINTER     = go tool -modfile=$(CURDIR)/.ci/tools/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help build install run captures test elasticsearch-up elasticsearch-down integration catalogue compile bench profile bulk outage stages fuzz lint cross vuln clean go

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

build: go ## build ./gnomon, one static file
	$(GO_BUILD) -o $(BINARY) ./cmd/gnomon

install: build ## install the program, its manual, a configuration and a systemd unit; as root, or with DESTDIR
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/$(BINARY)
	./$(BINARY) man $(DESTDIR)$(PREFIX)/share/man/man1
	@[ -e $(DESTDIR)$(SYSCONFDIR)/gnomon/gnomon.toml ] && echo "keeping $(DESTDIR)$(SYSCONFDIR)/gnomon/gnomon.toml" || \
	  { set -x; mkdir -p $(DESTDIR)$(SYSCONFDIR)/gnomon && ./$(BINARY) config default > $(DESTDIR)$(SYSCONFDIR)/gnomon/gnomon.toml; }
	install -D -m 644 packaging/systemd/gnomon.service $(DESTDIR)$(UNITDIR)/gnomon.service
	install -D -m 644 packaging/systemd/gnomon.sysusers $(DESTDIR)$(SYSUSERSDIR)/gnomon.conf
	@[ -n "$(DESTDIR)" ] || ! command -v systemd-sysusers >/dev/null || systemd-sysusers $(SYSUSERSDIR)/gnomon.conf
	@[ -n "$(DESTDIR)" ] || echo "now: set capture.interfaces in $(SYSCONFDIR)/gnomon/gnomon.toml, then systemctl daemon-reload && systemctl enable --now gnomon"

run: build ## watch the default interface, or replay the bundled captures where capturing is not permitted
	./$(BINARY) run --or-replay testdata/captures

captures: go ## make captures of real client programs in the lab, into CAPTURES; needs root and Debian packages
	@[ "$$(id -u)" = 0 ] || { echo "the lab works in network namespaces: run this as root" >&2; exit 1; }
	@missing=$$(for package in $$(cat testdata/lab/deps.txt); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q ' installed$$' || echo $$package; done); \
	[ -z "$$missing" ] || echo "clients may be missing; if one is: apt-get install" $$missing >&2
	go -C testdata/lab run . make $(CAPTURES)

test: go ## run all tests, with the race detector where there is a C compiler
	@if [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null && go env GOARCH | grep -qxE 'amd64|arm64'; then \
	  race=-race; \
	else \
	  race=; echo "testing without the race detector: install gcc to have it" >&2; \
	fi; \
	export $(PLAIN); set -x; go test $$race -timeout 30m $(TESTFLAGS) $(PKG)

elasticsearch-up: ## fetch and start Elasticsearch 8 and 9 and OpenSearch 2 on loopback, for integration tests (NODES)
	@bash .ci/nodes/nodes up $(NODES)

elasticsearch-down: ## stop them and remove what they hold
	@bash .ci/nodes/nodes down

integration: go ## run the tests that need those nodes (TESTFLAGS)
	@set -e; vars=$$(bash .ci/nodes/nodes env); [ -n "$$vars" ] || { echo "no node runs: make elasticsearch-up" >&2; exit 1; }; \
	env $$vars $(PLAIN) go test -tags integration -p 1 -count=1 -timeout 20m $(TESTFLAGS) $(or $(filter-out ./...,$(PKG)),./exporters/elasticsearch/... ./cmd/gnomon) -run '$(or $(RUN),^TestNode)'

catalogue: go ## pack and sign the catalogue with a minisign key, into build/: KEY=FILE, DAYS=180
	@[ -n "$(KEY)" ] || { echo "name the minisign secret key: make catalogue KEY=FILE (its password in GNOMON_SIGNING_PASSWORD)" >&2; exit 1; }
	go run ./cmd/gnomon catalogue sign --key '$(KEY)' --days $(DAYS) \
	  -o "build/catalogue-$$(cat signatures/catalogue/VERSION).zip" signatures/catalogue

compile: go ## write signatures/catalogue.bin anew from the files of the catalogue; a test says when it is due
	go test ./signatures -run '^TestCompiled$$' -count=1 -compile

bench: build ## measure scan beside a plain gopacket loop and tcpdump on four kinds of traffic (ROUNDS), in one table
	go -C testdata/bench run . -gnomon $(CURDIR)/$(BINARY) -dir $(BENCHDIR) -rounds $(ROUNDS) -json $(BENCHDIR).json

profile: build ## learn anew what scan and its neighbours spend their time with, for the compiler: cmd/gnomon/default.pgo
	go -C testdata/bench run . -gnomon $(CURDIR)/$(BINARY) -dir $(BENCHDIR) -rounds 0
	@set -ex; export $(PLAIN); profile() { go test "$$1" -o build/profiled.test -run '^$$' -bench "$$2" -cpuprofile "build/$$3.prof" "$${@:4}"; }; \
	mkdir -p build; rm -f build/*.prof; \
	profile ./cmd/gnomon '^BenchmarkScan$$' scan -benchtime 15x -captures $(BENCHDIR); \
	profile ./sensor/logs '^BenchmarkParse$$' logs; \
	profile ./exporters/spool/codec . codec; \
	profile ./exporters/elasticsearch '^Benchmark(Fill|ParseItems)$$' elasticsearch; \
	profile ./exporters/store '^BenchmarkExport$$' store; \
	go tool pprof -proto -output cmd/gnomon/default.pgo build/*.prof

bulk: go ## measure what sending to Elasticsearch costs beside a plain loop over esutil.BulkIndexer (RECORDS, ROUNDS)
	go -C testdata/bench run ./bulk -records $(RECORDS) -rounds $(ROUNDS)

outage: go ## measure memory and losses while Elasticsearch is away for OUTAGE, at 5,000 records a second (needs 3 GB of disk for ten minutes)
	go -C testdata/bench run ./outage -outage $(OUTAGE)

stages: go ## run the benchmarks of every stage: decode, table, hello, Initial, DNS, match ... (BENCH, BENCHTIME, PKG)
	$(PLAIN) go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) $(PKG)

fuzz: go ## fuzz every target for FUZZTIME (FUZZ chooses targets, PKG packages)
	@FUZZ='$(FUZZ)' $(PLAIN) bash .ci/fuzz $(FUZZTIME) $(PKG)

lint: go ## format, vet, golangci-lint (its first run builds it: some minutes) and the rules of architecture
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "run gofmt -w on:" $$unformatted >&2; exit 1; }
	$(PLAIN) go vet ./...
	$(PLAIN) $(LINTER) run ./...
	@set -e; for module in $(MODULES); do \
	  echo "linting module $$module"; (cd $$module && go vet ./... && $(LINTER) run -c $(CURDIR)/.golangci.yml ./...); \
	done
	go test -count=1 ./sensor/archtest

cross: go ## build for every platform of a release, into build/
	@set -e; for platform in $(PLATFORMS); do \
	  IFS=/ read -r os arch arm <<< "$$platform"; \
	  out=build/$(BINARY)-$$os-$$arch$${arm:+v$$arm}; \
	  (set -x; GOOS=$$os GOARCH=$$arch GOARM=$$arm $(GO_BUILD) -o $$out ./cmd/gnomon); \
	done

vuln: go ## look for known vulnerabilities in what the program uses; asks vuln.go.dev
	go run golang.org/x/vuln/cmd/govulncheck@latest ./...

clean: ## remove what the other targets made
	rm -rf $(BINARY) build dist

# Says what to install when there is no Go, or one older than go.mod wants.
go:
	@command -v go >/dev/null || { echo "there is no go here: install Go $(GO_WANTED) or later from https://go.dev/dl" >&2; exit 1; }
	@have=$$(go env GOVERSION 2>/dev/null | sed 's/^go//; s/[^0-9.].*//'); \
	[ "$$(printf '%s\n' $(GO_WANTED) "$${have:-0}" | sort -V | head -n 1)" = $(GO_WANTED) ] || \
	{ echo "go $${have:-here} is older than $(GO_WANTED), which go.mod wants: install it from https://go.dev/dl" >&2; exit 1; }
