"""Parts of a run, which many machines or processes do beside each other: who does which images, and where."""
