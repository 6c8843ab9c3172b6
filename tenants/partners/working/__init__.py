"""What a partner owes for a declared period (反哺, P4): worked out, line by line, and in words. Pure."""

from tenants.partners.working.explaining import BASES, explain
from tenants.partners.working.lines import Declared, Line, Segment, Worked
from tenants.partners.working.work import work_out

__all__ = ["BASES", "Declared", "Line", "Segment", "Worked", "explain", "work_out"]
