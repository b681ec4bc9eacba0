"""How sources are read: REST with keyset paging, a database table, a drop folder of CSV and XLSX files."""

from etl.sources.kinds.file_drop import FileDrop, Files
from etl.sources.kinds.rest import Rest
from etl.sources.kinds.table import Table, TableSpec

__all__ = ["FileDrop", "Files", "Rest", "Table", "TableSpec"]
