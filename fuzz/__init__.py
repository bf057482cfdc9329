"""Every reader of files from strangers under a fuzzer. Not in the wheel.

python -m fuzz checkpoint --minutes 10
"""
