# The two commands of the README: make demo (the main job) and make test (all
# tests). Each installs what is missing on Debian and Ubuntu, and says what to
# install elsewhere.

GO ?= go
BUILD_PACKAGES := libpcsclite-dev pkg-config
# The Windows program is tried under Wine, with libraries of our own.
WINDOWS_PACKAGES := wine64 gcc-mingw-w64-x86-64-win32
RELEASE_PACKAGES := git zip dpkg
# For linux/arm64 with PC/SC; without them that program has none.
ARM64_PACKAGES := gcc-aarch64-linux-gnu libpcsclite-dev:arm64
TEST_PACKAGES := $(WINDOWS_PACKAGES) tmux dbus gnome-keyring pcscd vsmartcard-vpcd yubikey-manager yubico-piv-tool opensc openssl openssh-client softhsm2 procps postgresql slapd ldap-utils chromium curl dosfstools fusefat prometheus

.PHONY: demo test test-windows release release-check build bench fuzz check elsewhere nopcsc install-build install-test ca-servers clean

demo: build
	./bin/cse-piv demo $(DEMO)

build: install-build
	$(GO) build -trimpath -buildvcs=auto -o bin/cse-piv ./cmd/cse-piv

test: install-build install-test ca-servers
	$(GO) vet ./...
	# Four packages at a time: many tests wait for other processes. What was skipped is said at the end.
	# The race detector looks on for a second at the end of each process, of which tests start thousands.
	GORACE=atexit_sleep_ms=10 ./scripts/in-memory $(GO) tool gotestsum --format pkgname -- -race -p 4 -timeout 85m ./...
	# 2 GB and 100,000 users; fewer under the race detector.
	$(GO) test -run 'TestManifestStreams|TestManyUsersInLittleMemory' ./internal/batch ./internal/batch/source

# The part of the tests that runs the Windows program, under Wine.
test-windows:
	@./scripts/install-packages $(BUILD_PACKAGES) $(WINDOWS_PACKAGES) tmux
	$(GO) test -count=1 -v -timeout 20m ./internal/lab/wine

# Everything that is published of the commit, into dist.
release:
	@./scripts/install-packages $(BUILD_PACKAGES) $(RELEASE_PACKAGES)
	-@./scripts/install-packages $(ARM64_PACKAGES)
	./scripts/release dist

# A release is the same when it is built again elsewhere, and its Debian package works in a bare
# system.
release-check:
	@./scripts/install-packages $(BUILD_PACKAGES) $(RELEASE_PACKAGES) debootstrap qemu-user-static
	-@./scripts/install-packages $(ARM64_PACKAGES)
	./scripts/release-check

# What CI checks besides the tests.
check: install-build elsewhere nopcsc
	@unformatted=$$(gofmt -l cmd internal); if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) tool staticcheck ./...

# The systems that it is built for besides this one.
elsewhere:
	@for system in windows/amd64 darwin/arm64 darwin/amd64; do \
	  export GOOS=$${system%/*} GOARCH=$${system#*/} CGO_ENABLED=0; echo "build and vet for $$system"; \
	  $(GO) build ./... && $(GO) vet ./... || exit 1; \
	done

# A build without PC/SC works, and says that it has none.
nopcsc:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -o bin/cse-piv-nopcsc ./cmd/cse-piv
	@./bin/cse-piv-nopcsc card list >bin/nopcsc.out 2>&1; code=$$?; \
	  if [ $$code -ne 5 ] || ! grep -q 'no PC/SC' bin/nopcsc.out; then echo "a build without PC/SC does not say so (exit $$code):"; cat bin/nopcsc.out; exit 1; fi

bench: install-build install-test
	$(GO) test -run '^$$' -bench . -benchtime 10x ./internal/enroll ./internal/cli
	$(GO) test -run '^$$' -bench . -benchtime 1500x ./internal/batch/prepare
	$(GO) test -run '^$$' -bench . -benchtime 1x ./internal/batch

# What is said of chains and certificates, beside openssl, crypto/x509, NIST and pkilint.
.PHONY: verdicts
verdicts: install-build
	@rm -rf bin/verdicts && mkdir -p bin/verdicts
	VERDICTS=$(CURDIR)/bin/verdicts $(GO) test -count=1 -run 'TestSamples|TestSituations|TestPKITS|TestSampleCertificates' ./internal/certpath ./internal/smime ./internal/smime/baseline
	@(printf '# Verdicts\n\nWhat is said of chains and certificates, ours beside openssl, crypto/x509, NIST and pkilint. `make verdicts` makes this page.\n'; for table in bin/verdicts/*.md; do echo; cat $$table; done) >docs/explanation/verdicts.md
	@cat docs/explanation/verdicts.md

# Every reader of bytes from outside, FUZZTIME each.
FUZZTIME ?= 1m
fuzz: install-build
	@GO="$(GO)" ./scripts/fuzz $(FUZZTIME)

# The CA servers that tests enroll at, built once into the user's cache.
ca-servers:
	@GO="$(GO)" ./scripts/ca-servers >/dev/null || echo "tests with the CA servers of others will say that they are NOT TESTED"

install-build:
	@./scripts/install-packages $(BUILD_PACKAGES)

install-test:
	@./scripts/install-packages $(TEST_PACKAGES)

clean:
	rm -rf bin

# The picture of a report that docs/how-to/ten-thousand-cards.md shows, made by Chromium.
.PHONY: docs-report
docs-report:
	@./scripts/install-packages chromium
	$(GO) test -count=1 -run TestPictures ./internal/batch/report -args -picture $(CURDIR)/docs/screens/batch-report.png

# The pictures of the wizard that docs/how-to/a-desk-for-a-day.md shows, drawn from the running program.
.PHONY: docs-screens
docs-screens:
	@./scripts/install-packages $(BUILD_PACKAGES) tmux
	@mkdir -p docs/screens
	$(GO) test -count=1 -run TestScreens ./internal/cli -args -screens $(CURDIR)/docs/screens
