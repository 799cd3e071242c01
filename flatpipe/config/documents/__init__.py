"""What is written from the model: reference config, documentation, JSON Schema, starter, the resolved config."""
