"""One module a measurement: `TARGETS` and `measure(bench)`; see `benchmarks.harness`."""
