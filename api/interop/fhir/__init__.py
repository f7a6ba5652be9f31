"""FHIR R4 (4.0.1, HL7 2019): resources as pure functions of what is stored, and how they are searched."""
