"""What was done, told and proved: status, history, verification, lock, comparison, cleaning."""
