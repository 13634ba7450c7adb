"""What travels on the wire: parameters in, JSON, XML, PHP or JSONP out."""
