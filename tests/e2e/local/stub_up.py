"""`earshot up` with stub services: `stub_up.py DIR PORT_BASE [--mock-broker]`. Servers, supervisor and signals are the real ones."""

import sys
from pathlib import Path

from earshot_shared.errors import EarshotError
from earshot_shared.local.files import DataFolder
from earshot_shared.local.product import Ground, Product
from earshot_shared.local.servers import Wanted
from earshot_shared.local.up import Up


class StubProduct(Product):
    """Needs no tables and no topics."""

    def prepare(self, ground: Ground) -> None:
        """Nothing to bring anywhere."""

    def find_losses(self, ground: Ground) -> dict[str, str]:
        """No tables, no losses."""
        return {}


def main() -> None:
    folder, port_base, *options = sys.argv[1:]
    program = (sys.executable, str(Path(__file__).with_name("stub_program.py")))
    wanted = Wanted(mock_broker="--mock-broker" in options)
    try:
        Up(DataFolder(Path(folder)), StubProduct(int(port_base), program), wanted).run()
    except EarshotError as problem:
        sys.exit(f"Error: {problem.detail}")


if __name__ == "__main__":
    main()
