"""What many images share: their colours added up, to be clustered as those of one."""
