import asyncio, time, random, json, resource
from support.triage import migrate, running_triage
from support.triage_world import plain_item
from support.public_data import public_data
async def test_gather(fresh_database):
    dsn = await asyncio.to_thread(fresh_database, migrate)
    texts=[json.loads(l)["text"] for l in public_data("banking77","dev.jsonl").read_text().splitlines()]
    rnd=random.Random(1)
    async with running_triage(dsn, learned=True) as tri:
        N=9000
        items=[plain_item(f"n{n}", n, texts[n%len(texts)]) for n in range(N)]
        for s in range(0,N,3000): await tri.fold(*items[s:s+3000])
        g=tri.wiring.gatherer(tri.runtime)
        r0=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        out=[];t0=time.perf_counter();c0=time.process_time();n=0
        while True:
            t=time.perf_counter(); k=await g.gather()
            if not k: break
            n+=k; out.append(time.perf_counter()-t)
        c=await tri.runtime.pool.fetchval("select count(*) from theme_items"); l=await tri.runtime.pool.fetchval("select count(*) from theme_items where key=leader")
        print("\nGATHER rows",n,"voices",c,"leaders",l,"s",round(time.perf_counter()-t0,2),"cpu us/row",round((time.process_time()-c0)/n*1e6),"batch ms first/last",round(out[0]*1e3),round(out[-2]*1e3),"rss+",resource.getrusage(resource.RUSAGE_SELF).ru_maxrss-r0)
        t=time.perf_counter(); a=await tri.http.get("/v1/themes"); print("GATHER list ms",round((time.perf_counter()-t)*1e3), a.json()["items"][0]["items"])
        t=time.perf_counter(); a=await tri.http.get("/v1/faq-candidates"); print("GATHER faq ms",round((time.perf_counter()-t)*1e3))
        # late ones
        late=[plain_item(f"l{n}", -100000+n, texts[(n*7)%len(texts)]+" early") for n in range(600)]
        await tri.fold(*late); t=time.perf_counter()
        while await g.gather(): pass
        print("GATHER late 600 s",round(time.perf_counter()-t,2))
