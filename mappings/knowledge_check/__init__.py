"""Quality control of the rule files: what a reviewer must mend before the rules are released.

Loading (`mappings.knowledge`) already refuses malformed files. These modules find what is well-formed and
still wrong: names that mean nothing, units no limit can be held against, overdue reviews.
"""
