"""What both sides of the pipe share: frozen types for what a worker is asked, what it answers, and what is kept.

Imported inside every method's own environment, so that it needs nothing but the standard library and what ASE brings.
"""
