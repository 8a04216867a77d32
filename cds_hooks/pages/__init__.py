"""What a person sees in a browser. Served by the same process, offline, and imported when first asked for."""
