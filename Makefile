# Names only: the logic is in xtask/.
.PHONY: run test e2e check bench demo fuzz schemathesis
xtask = cargo run --quiet --package xtask --

run:    ## Build and start Bugle with a private PostgreSQL in ./data. BUS=rabbit: one process per service.
	@$(xtask) run $(if $(BUS),--bus $(BUS))
test:   ## Run every test against private servers.
	@$(xtask) test $(ARGS)
e2e:    ## Walk through the dashboard in a real browser. ARGS=screenshots: take docs/screenshots anew.
	@$(xtask) e2e $(ARGS)
check:  ## The gate: format, lints, docs, dependencies, directions.
	@$(xtask) check
bench:  ## Measure, and print the table of docs/performance.md.
	@cargo run --quiet --release --package xtask -- bench $(ARGS)
demo:   ## Send a stream of errors from several apps to a running Bugle.
	@$(xtask) demo $(ARGS)
schemathesis: ## Send requests made up from the OpenAPI document to a private Bugle; what is not as documented fails.
	@$(xtask) schemathesis $(ARGS)
fuzz:   ## Run each fuzz target for SECONDS (60).
	@fuzz/run.sh $(or $(SECONDS),60)
