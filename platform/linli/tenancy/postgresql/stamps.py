"""Whether rows are still what they were: cheaper to ask than the rows themselves.

PostgreSQL gives every version of a row its transaction (``xmin``) and place (``ctid``). Equal stamps
mean equal rows, whatever their columns, those of later migrations too.
"""


def stamp(*tables: str) -> str:
    """SQL for the stamp of one row of each table, named by its alias."""
    return f"concat_ws(' ', {', '.join(f'{table}.xmin, {table}.ctid' for table in tables)})"


def stamp_of_many(table: str) -> str:
    """SQL for the stamp of a group of rows."""
    return f"string_agg({stamp(table)}, ' ' ORDER BY {table}.id)"
