"""What the operating system offers and asks: processes, memory, disks, C libraries."""
