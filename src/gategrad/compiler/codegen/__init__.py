"""LLVM IR, written as text."""
