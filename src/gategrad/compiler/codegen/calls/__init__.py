"""What programs call: LAPACK, NumPy's Fourier transforms, NumPy itself on the buffers of the program."""
