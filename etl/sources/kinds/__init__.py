"""How sources are read: REST with keyset paging, a database table, a drop folder of CSV, XLSX and XML files."""

from etl.sources.kinds.file_drop import FileDrop
from etl.sources.kinds.rest import Rest
from etl.sources.kinds.table import Table, TableSpec
from etl.sources.kinds.tabular import Files

__all__ = ["FileDrop", "Files", "Rest", "Table", "TableSpec"]
