"""Answers over HTTP: pictures, the Open Inference Protocol, figures for Prometheus, and the page.

A face to people, as the command line is. It needs the extra `serve`.
"""
