"""The oracle: a pure model of facts and views, written from the contract alone and sharing no code with the product."""
