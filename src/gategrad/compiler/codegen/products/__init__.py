"""Matrix products: few rows, tiles that read in place, panels, BLAS; alone or inside a loop kernel."""
