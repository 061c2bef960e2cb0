"""The commands `rushes prepare ...`: one file a step, one table file in and one new one out."""
