"""From files to marks: build a release, grade a submission, grade a class, write results."""
