"""What is due, and why: places checked, settings digested, every image planned."""
