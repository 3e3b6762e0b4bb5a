"""The page: a report of one or several runs as one HTML file that needs nothing else.

:mod:`~bench.render.page.sections` says what it shows, :mod:`~bench.render.page.grid` makes its tables,
:mod:`~bench.render.page.document` puts it together from the template, the style and the script beside it, and
:mod:`~bench.render.page.numbers_inside` reads the numbers back out of the file.
"""
