"""`python -m flatpipe.config` writes docs/config.md, pipeline.yaml and the JSON Schema anew, from the model."""

from pathlib import Path

from flatpipe.config.documents.reference import write_files

if __name__ == "__main__":
    write_files(Path.cwd())
