"""The outside world behind Protocols: HTTP, SQL, mail, and programs that speak. [io]"""
