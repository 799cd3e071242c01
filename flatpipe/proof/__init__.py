"""What was done, told and proved: status, story, verification, lock, comparison, cleaning."""
