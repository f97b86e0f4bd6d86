"""Importing one module, named by the argument, in a process that has imported nothing else."""

import sys
import time

if __name__ == "__main__":
    began, cpu = time.perf_counter(), time.process_time()
    __import__(sys.argv[1])
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f'{{"seconds": {seconds}, "cpu_seconds": {cpu}}}')
