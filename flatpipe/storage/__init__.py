"""Where bytes live: local folders and URLs, and what is found there."""
