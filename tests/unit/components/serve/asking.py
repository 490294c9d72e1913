"""How a coroutine asks what calls back."""

import asyncio


async def answered(app, request):
    """Return an app's answer to a request."""
    answer = asyncio.get_running_loop().create_future()
    app.answer(request, answer.set_result)
    return await answer


async def computed(batcher, key, inputs, rows, seconds):
    """Return what a batcher computes, or raise why it does not."""
    result = asyncio.get_running_loop().create_future()
    batcher.submit(key, inputs, rows, seconds, result.set_result)
    done = await result
    if isinstance(done, Exception):
        raise done
    return done
