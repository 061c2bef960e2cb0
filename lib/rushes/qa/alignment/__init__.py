"""Alignment as a number: how far the inputs of a recording are from its pictures and its sound."""
