# Everything a developer runs. Each target sets up what it needs; `make help` lists them.
MAKEFLAGS += --no-print-directory
NODE := sh .github/scripts/with-node.sh node
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error
PACKAGES := node_modules/.package-lock.json
SAMPLE_PACKAGES := sample-app/node_modules/.package-lock.json
ACT := .tools/bin/.act
LINTERS := .tools/bin/.linters
MODELS := .tools/.models

.DEFAULT_GOAL := help
.PHONY: help setup demo test check dist dist-check generate policies bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(PACKAGES) $(SAMPLE_PACKAGES) $(ACT) $(LINTERS) $(MODELS) ## install packages and tools (the other targets do so when needed)
	@sh .github/scripts/setup.sh demo test bench

demo: $(PACKAGES) $(SAMPLE_PACKAGES) $(ACT) $(MODELS) ## run the whole pipeline on this machine and show the result
	@sh .github/scripts/setup.sh demo
	@$(NODE) demo/demo.ts

test: $(PACKAGES) $(SAMPLE_PACKAGES) $(ACT) $(MODELS) ## run all tests against the bundles in dist
	@sh .github/scripts/setup.sh test
	@$(NODE) .github/scripts/test.ts

check: $(PACKAGES) $(SAMPLE_PACKAGES) $(LINTERS) ## format, lint, types, import directions, sizes, YAML
	@$(NODE) .github/scripts/check.ts

dist: $(PACKAGES) ## build the bundles and run each of them
	@$(NODE) .github/scripts/dist.ts $(ACTION)

dist-check: $(PACKAGES) ## build the bundles in another folder and compare every byte
	@$(NODE) .github/scripts/dist.ts --check $(ACTION)

generate: $(PACKAGES) ## write the actions' README tables and the workflows' inputs from action.yml
	@$(NODE) .github/scripts/readme-tables.ts
	@$(NODE) .github/scripts/workflow-inputs.ts

policies: $(PACKAGES) $(MODELS) ## write the IAM policies of docs/iam from what the tests see being called
	@GOCI_WRITE_POLICIES=true NODE_OPTIONS=--experimental-vm-modules $(NODE) node_modules/jest/bin/jest.js actions/deploy-ecs/test/policies.test.ts
	@$(NODE) node_modules/@biomejs/biome/bin/biome format --write docs/iam

bench: $(PACKAGES) $(SAMPLE_PACKAGES) $(MODELS) ## measure and print ratios
	@sh .github/scripts/setup.sh bench
	@$(NODE) bench/run.ts $(BENCH)

clean: ## remove what was built or installed, dist excepted
	rm -rf node_modules sample-app/node_modules sample-app/build sample-app/reports sample-app/coverage build coverage .tools demo/out

$(PACKAGES): package-lock.json
	@$(NPM_CI)
	@touch $@

$(SAMPLE_PACKAGES): sample-app/package-lock.json
	@cd sample-app && $(NPM_CI)
	@touch $@

$(ACT): .github/scripts/requirements.txt .github/scripts/tools.sh
	@sh .github/scripts/tools.sh act
	@touch $@

$(LINTERS): .github/scripts/requirements.txt .github/scripts/tools.sh
	@sh .github/scripts/tools.sh linters
	@touch $@

$(MODELS): .github/scripts/requirements.txt .github/scripts/tools.sh
	@sh .github/scripts/tools.sh models
	@touch $@
