"""The GET of the other clients with httpx: PORT CALLS IN_FLIGHT. Prints what they do."""

import asyncio
import resource
import sys
import time

import httpx

TOKEN = "f1x7ure70ken00000000000000000000000000000000000000000000f1x7"


async def main(port: str, calls: int, in_flight: int) -> None:
    left = iter(range(calls))
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=in_flight)) as client:

        async def worker() -> None:
            for _ in left:
                reply = await client.get(
                    f"http://localhost:{port}/v3/portforwardings",
                    params={"internal_ipv4": "10.0.16.181"},
                    headers={"Authorization": f"Bearer {TOKEN}"},
                )
                reply.raise_for_status()
                ports = reply.json()["data"]["ports"]
                assert sum(it["port"] for it in ports) == 58216

        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        await asyncio.gather(*(worker() for _ in range(in_flight)))
        cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    print(cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
