"""Engines that run as processes of their own, in any language: started, asked and ended here."""
