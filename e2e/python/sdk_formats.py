"""The Python SDK: structured outputs."""

import anthropic
from harness import *
from pydantic import BaseModel, Field
from sdk_client import *


class Author(BaseModel):
    name: str = Field(max_length=40)
    books: list[str]
    born: int | None


@check
def parse_into_a_model():
    """The simulator's model answers in the form that it was told; it is told by the schema alone."""
    answer = client.messages.parse(
        model=MODEL, max_tokens=500, messages=[user("Who wrote it?")], output_format=Author
    )
    assert isinstance(answer.parsed_output, Author), answer
    assert answer.parsed_output.name == "Who wrote it?", answer.parsed_output
    assert answer.stop_reason == "end_turn", answer
    told = chats()[-1]["body"]["conversationState"]["currentMessage"]["userInputMessage"]["content"]
    assert '<response_format type="json_schema">{' in told and "Who wrote it?" in told, told


@check
def parse_while_it_streams():
    """A fence around the value is not the client's business."""
    play(say('```json\n{"name": "Ada", "books"'), say(': ["Notes"], "born": 1815}\n``'), say("`\n"))
    with client.messages.stream(
        model=MODEL, max_tokens=500, messages=[user("Who wrote it?")], output_format=Author
    ) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == '{"name": "Ada", "books": ["Notes"], "born": 1815}', text
    assert final.parsed_output == Author(name="Ada", books=["Notes"], born=1815), final


@check
def older_field():
    """litellm and older SDKs send the format at the top of the body."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    format = {"type": "json_schema", "schema": schema}
    assert text_of(ask("Count.", extra_body={"output_format": format})) == '{"a":1}'


@check
def what_does_not_fit_is_an_error():
    for told in ['{"name": "Ada", "books": "Notes", "born": 1815}', "It was Ada.", '{"name": "Ada",']:
        play(say(told))
        try:
            client.messages.parse(model=MODEL, max_tokens=500, messages=[user("Who?")], output_format=Author)
        except anthropic.InternalServerError as error:
            assert error.status_code == 502 and "not the JSON that was asked for" in str(error), error
            assert "Ada" not in str(error), error
        else:
            raise AssertionError(f"a good end for {told}")


@check
def schema_that_cannot_be_held():
    try:
        ask("Hello", output_config={"format": {"type": "json_schema", "schema": {"type": "text"}}})
    except anthropic.BadRequestError as error:
        assert "/type" in str(error), error
    else:
        raise AssertionError("not refused")
    assert not chats(), "it was sent"
