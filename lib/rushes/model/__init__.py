"""Floor 0: types and pure arithmetic. Nothing here touches a file, a device or a clock that it was not given."""
