"""What Hexcore promises in numbers, measured: `python -m benchmarks.run`. README.md has the last figures."""
