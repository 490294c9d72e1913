"""Coroutines for APIs with callbacks."""

import asyncio


async def answered(app, request):
    """Return an app's answer to a request."""
    answer = asyncio.get_running_loop().create_future()
    app.answer(request, answer.set_result)
    return await answer


async def computed(batcher, key, inputs, rows, seconds):
    """Return the result of a batcher, or raise its error."""
    result = asyncio.get_running_loop().create_future()
    batcher.submit(key, inputs, rows, seconds, result.set_result)
    done = await result
    if isinstance(done, Exception):
        raise done
    return done
