"""Price statistics and bulk level updates over arrays of records, exact."""
