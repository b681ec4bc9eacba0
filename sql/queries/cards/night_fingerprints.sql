select business_on, fingerprint from night
