"""The Slack app as a manifest: exactly what this product uses, and nothing it does not; it is printed, never sent."""

from typing import Any

# Each scope with the call that needs it; `support-agents connect slack` compares them with the token's.
SCOPES = {
    "chat:write": "shows, repaints and whispers cards",
    "im:write": "tells people directly what was decided in their name",
    "commands": "/support",
    "users:read": "refuses people who are deactivated or of another organisation",
    "channels:read": "checks that the app is in a public channel",
    "groups:read": "the same for a private one",
}
COMMAND = "/support"
EVENTS = ("app_home_opened",)


def manifest(*, public_url: str, name: str = "Support approvals") -> dict[str, Any]:
    """The manifest; with a public `https` address over HTTP, otherwise over Socket Mode."""
    over_http = public_url.startswith("https://")
    command = {"command": COMMAND, "description": "Take the next card", "usage_hint": "next | batch | link CODE"}
    interactivity: dict[str, Any] = {"is_enabled": True}
    subscriptions: dict[str, Any] = {"bot_events": list(EVENTS)}
    if over_http:
        command["url"] = f"{public_url}/slack/commands"
        interactivity["request_url"] = f"{public_url}/slack/interactivity"
        subscriptions["request_url"] = f"{public_url}/slack/events"
    return {
        "display_information": {"name": name, "description": "People approve what support would send."},
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": name, "always_online": False},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": subscriptions,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": not over_http,
            "token_rotation_enabled": False,
        },
    }
